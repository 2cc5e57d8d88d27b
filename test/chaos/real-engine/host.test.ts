import { MOMENTS } from '../matrix/cells.js';
import { testAtOnce, useRealBed } from './run.js';

const bed = useRealBed();
for (const moment of MOMENTS) testAtOnce(bed, 'host lost', moment);
