/** How long a pool had a free slot while work for it was waiting. */
import { PHASES } from '#dist/phases.js';

/** What must have ended before a phase can begin; P1 waits from the start of its workflow. */
const BEFORE = { P1: [], P2: ['P1'], P3: ['P2'], P4: ['P3'], P5: ['P3'], P6: ['P4', 'P5'] };

/**
 * @param log of the engines' processes; P6 has none, its task's times stand for it
 * @param histories the events of each sector's workflow
 * @returns shares of the time from the first start to the last end of the pool's work: `ofTime` with a free slot while
 *   something waited, `ofSlots` the same weighted with how many slots that were, of all slots
 */
export function idleShares(slots, phases, log, histories) {
  const byTasks = [];
  const byProcesses = [];
  for (const events of histories) {
    const tasks = tasksOf(events);
    const ran = (phase) =>
      phase === 'P6'
        ? tasks.P6.ran
        : ends(log.runs.get(`${tasks.sector} ${phase}`) ?? [], phase, tasks.sector);
    for (const phase of phases) {
      byTasks.push({ waits: tasks[phase].scheduled, ran: tasks[phase].ran });
      const waits = Math.max(tasks.began, ...BEFORE[phase].map((before) => ran(before)[1]));
      byProcesses.push({ waits, ran: ran(phase) });
    }
  }
  return { byTasks: shareOf(slots, byTasks), byProcesses: shareOf(slots, byProcesses) };
}

/** From the first engine's start to the last one's end. */
function ends(runs, phase, sector) {
  if (runs.length === 0) throw new Error(`no engine was seen of ${sector} ${phase}`);
  return [Math.min(...runs.map(([start]) => start)), Math.max(...runs.map(([, end]) => end))];
}

/** When each phase's task was scheduled, and from when to when the last try of it ran. */
function tasksOf(events) {
  const tasks = {
    began: millis(events[0]),
    sector: `s-${events[0].workflowExecutionStartedEventAttributes.workflowId.slice(5)}`,
  };
  const byId = new Map();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    if (scheduled) {
      const phase = Object.keys(BEFORE).find((id) => PHASES[id].activity === scheduled.activityType.name);
      tasks[phase] = { scheduled: millis(event), ran: [] };
      byId.set(String(event.eventId), tasks[phase]);
    }
    const ended = started ?? completed;
    if (ended) byId.get(String(ended.scheduledEventId)).ran[started ? 0 : 1] = millis(event);
  }
  return tasks;
}

const millis = ({ eventTime: { seconds, nanos } }) => Number(seconds) * 1000 + nanos / 1e6;

/** Goes through all moments at which something began to wait, was begun or ended. */
function shareOf(slots, works) {
  const moments = works
    .flatMap(({ waits, ran: [start, end] }) => [
      { at: Math.min(waits, start), waiting: 1, running: 0 },
      { at: start, waiting: -1, running: 1 },
      { at: end, waiting: 0, running: -1 },
    ])
    .sort((a, b) => a.at - b.at);
  const [first, last] = [moments[0].at, moments.at(-1).at];
  const now = { waiting: 0, running: 0 };
  let time = 0;
  let slotTime = 0;
  for (const [i, { at, waiting, running }] of moments.entries()) {
    now.waiting += waiting;
    now.running += running;
    const free = Math.max(0, Math.min(slots - now.running, now.waiting));
    const span = (moments[i + 1]?.at ?? at) - at;
    if (free > 0) time += span;
    slotTime += free * span;
  }
  return { ofTime: time / (last - first), ofSlots: slotTime / (last - first) / slots };
}
