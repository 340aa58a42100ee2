import { spawn } from 'node:child_process';
import { startGuard } from './guard.ts';

// Tests that have started a service, and are killed before they could stop it.
const [, , folder = ''] = process.argv;
const { pid } = spawn('sleep', ['600'], { stdio: 'ignore' });
if (pid !== undefined) startGuard(folder).watch(pid);
process.once('message', () => process.send?.(pid));
