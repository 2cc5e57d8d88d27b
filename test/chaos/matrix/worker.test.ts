import { testCells } from './run.js';

testCells(1, 'worker SIGKILL', 'worker SIGTERM');
