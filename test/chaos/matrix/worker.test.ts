import { testCells, useFixture } from './run.js';

testCells(useFixture(1), 'worker SIGKILL', 'worker SIGTERM');
