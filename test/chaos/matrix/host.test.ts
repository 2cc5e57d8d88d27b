import { testCells, useFixture } from './run.js';

// Two, so that another one is there to take over; a third takes the place of the one that was lost, and so on.
testCells(useFixture(2), 'host lost');
