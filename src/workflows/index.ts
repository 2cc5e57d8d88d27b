export { freeNumbers } from './free-numbers.js';
export { sealSector } from './seal-sector.js';
