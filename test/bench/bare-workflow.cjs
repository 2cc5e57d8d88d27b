/** Six activities one after the other, as plainly as Temporal allows: what sealflow's own workflow is measured against. */
const { proxyActivities } = require('@temporalio/workflow');

exports.bareChain = async function bareChain() {
  const { noop } = proxyActivities({ startToCloseTimeout: '1 minute' });
  for (let i = 0; i < 6; i++) await noop();
};
