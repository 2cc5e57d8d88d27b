import { MOMENTS } from '../matrix/cells.js';
import { phasesAt } from './cells.js';
import { testCell, useRealBed } from './run.js';

const bed = useRealBed();
// One after the other: all sectors of a bed have one server.
for (const moment of MOMENTS)
  for (const phase of phasesAt(moment)) testCell(bed, { phase, fault: 'server SIGKILL', moment });
