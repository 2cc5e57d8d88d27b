import { testCells, useBed } from './run.js';

testCells(useBed(1), 'worker SIGKILL', 'worker SIGTERM');
