import { FAULTS, MOMENTS } from '../matrix/cells.js';
import { useRealBed } from './bed.js';
import { testFault } from './run.js';

const bed = useRealBed();
for (const fault of FAULTS) if (fault !== 'server SIGKILL') testFault(bed, fault, MOMENTS);
