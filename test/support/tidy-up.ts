import { afterAll } from 'vitest';
import { removeTemporaryDirectories } from './directory.ts';

// Run by vitest for each test file, also where several share a process.
afterAll(removeTemporaryDirectories);
