/** The search attributes of a sector's workflow. Usable in workflows. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const SEARCH_ATTRIBUTES = {
  SealMiner: 'Keyword',
  SealSector: 'Int',
  SealSize: 'Keyword',
  SealGroup: 'Keyword',
  SealPhase: 'Keyword',
  SealState: 'Keyword',
  SealHost: 'KeywordList',
  SealDeadline: 'Datetime',
  SealLate: 'Keyword',
} as const;

export const sealMiner = defineSearchAttributeKey('SealMiner', SearchAttributeType.KEYWORD);
export const sealSectorNumber = defineSearchAttributeKey('SealSector', SearchAttributeType.INT);
export const sealSize = defineSearchAttributeKey('SealSize', SearchAttributeType.KEYWORD);
export const sealGroup = defineSearchAttributeKey('SealGroup', SearchAttributeType.KEYWORD);
export const sealPhase = defineSearchAttributeKey('SealPhase', SearchAttributeType.KEYWORD);
export const sealState = defineSearchAttributeKey('SealState', SearchAttributeType.KEYWORD);
/** Where engines are at work for it: P4 and P5 may be on two hosts. */
export const sealHost = defineSearchAttributeKey('SealHost', SearchAttributeType.KEYWORD_LIST);
/** Until when the chain waits: for the pre-commit while the ticket lasts, then for the proof. */
export const sealDeadline = defineSearchAttributeKey('SealDeadline', SearchAttributeType.DATETIME);
/** What it will miss, as can be foreseen: `ticket`. */
export const sealLate = defineSearchAttributeKey('SealLate', SearchAttributeType.KEYWORD);
