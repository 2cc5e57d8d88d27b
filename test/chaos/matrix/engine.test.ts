import { testCells } from './run.js';

testCells(1, 'engine SIGKILL');
