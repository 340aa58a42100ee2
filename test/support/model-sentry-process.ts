import { constants, setPriority } from 'node:os';
import { ModelSentry, type ModelSentryOptions, type SentryEvent } from './model-sentry.ts';

/** What the parent hears: which model (by its place in the list) has seen or done what. */
export interface SentryMessage {
  readonly index: number;
  readonly event: SentryEvent;
}

try {
  // Sentry does not share its processor with those who renew and test.
  setPriority(constants.priority.PRIORITY_HIGH);
} catch {
  // Only root may.
}

// A process of its own, so that a reload may fall between any two system calls of the writer.
process.once('message', (models: readonly ModelSentryOptions[]) => {
  models.forEach((options, index) => {
    const model = new ModelSentry(options, (event) => process.send?.({ index, event } satisfies SentryMessage));
    void model.start();
  });
});
process.once('disconnect', () => process.exit());
