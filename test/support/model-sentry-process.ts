import { ModelSentry, type ModelSentryOptions, type SentryEvent } from './model-sentry.ts';

/** What the parent hears: which model (by its place in the list) has seen or done what. */
export interface SentryMessage {
  readonly index: number;
  readonly event: SentryEvent;
}

// A process of its own, so that a reload may fall between any two system calls of the writer.
process.once('message', (models: readonly ModelSentryOptions[]) => {
  models.forEach((options, index) => {
    const model = new ModelSentry(options, (event) => process.send?.({ index, event } satisfies SentryMessage));
    void model.start();
  });
});
process.once('disconnect', () => process.exit());
