import { exitCodeOfRotation } from '../../../app/rotate/report.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openRotation } from '../../../cli/open-rotation.ts';
import { runRotation } from '../../../cli/perform-rotation.ts';
import { putBackHere } from '../../../cli/put-back.ts';
import { advanceFlags, planFlags } from '../../../cli/rotate-flags.ts';
import { readAdvanceOptions } from '../../../cli/rotate-input.ts';
import { renderRotation, rotationRemarks } from '../../../render/rotation.ts';
import { renderRotationPlan } from '../../../render/rotation-plan.ts';

export default class RotateRun extends MtlsCommand {
  static override summary = 'Rotate the root of trust without losing a call: begin, or go on where it stands.';
  static override description =
    `Begins what \`rotate plan\` shows, or goes on with the rotation that is under way, whoever began it and on whatever
machine. Each step is proved before it and its evidence recorded behind it; where a gate is open it says what it waits for and ends with
exit code 8, and with --wait it stays. It may be stopped at any moment, and goes on with the same command.

In a cluster the control plane is restarted in its order, and the workloads with a sidecar a few at a time. In a directory
--restart-command does that, or a human says so with \`rotate confirm restarted\`.

A bundle that somebody else has written meanwhile stops it. Find out who did; --put-back then puts the recorded one in its place and goes on.`;
  static override examples = [
    { description: 'Rotate the cluster, and stay until it is done', command: '<%= bin %> rotate run -k --wait' },
    {
      description: 'Only at night',
      command: '<%= bin %> rotate run -k --wait --window "Sat 02:00-05:00 Europe/Berlin"',
    },
    {
      description: 'Stop once Sentry signs with the new issuer, and look around',
      command: '<%= bin %> rotate run -k --wait --until switch',
    },
    {
      description: 'Put the recorded bundle back over that of somebody else, and go on',
      command: '<%= bin %> rotate run -k --put-back',
    },
    {
      description: 'A directory, whose sidecars a script starts anew',
      command: '<%= bin %> rotate run --dir certs --wait --restart-command ./restart-all.sh',
    },
  ];
  static override exitCodes = [3, 4, 5, 6, 7, 8];
  static override flags = { ...planFlags, ...advanceFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RotateRun);
    const { streams, typed } = this;
    const rotation = await openRotation(flags, this.env, streams);
    try {
      const surroundings = { streams, typed, now: this.now() };
      const options = readAdvanceOptions(flags, rotation);
      if (flags['put-back']) await putBackHere(rotation, flags, options.lockWaitMs, surroundings);
      const report = await runRotation(rotation, flags, options, surroundings, (plan) =>
        streams.note(renderRotationPlan(plan, { ...streams.outTerminal, colour: false })),
      );
      await this.emit(report, flags.format, renderRotation);
      for (const remark of rotationRemarks(report)) streams.warn(`${remark}\n`);
      process.exitCode = exitCodeOfRotation(report);
    } finally {
      rotation.close();
    }
  }
}
