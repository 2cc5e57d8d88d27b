import { MOMENTS } from '../matrix/cells.js';
import { useRealBed } from './bed.js';
import { testFault } from './run.js';

const bed = useRealBed();
// One after the other: all sectors of a bed have one server.
for (const moment of MOMENTS) testFault(bed, 'server SIGKILL', [moment]);
