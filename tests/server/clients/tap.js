// A few lines of test harness: named cases run one after another, one line of output each.
// `ok NAME` or `not ok NAME: why`, and a last line `done`; run.py counts them.
'use strict';
const assert = require('node:assert/strict');

const CASE_MS = 20000;
const cases = [];

function test(name, body) {
  cases.push({name, body});
}

function withinTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CASE_MS} ms`)), CASE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Runs all cases with what `setUp` gives (and `tearDown` takes back), then ends the process.
async function run(setUp, tearDown) {
  for (const {name, body} of cases) {
    try {
      const client = await withinTime(setUp());
      try {
        await withinTime(body(client));
      } finally {
        await tearDown(client);
      }
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`not ok ${name}: ${String(error.stack).split('\n').slice(0, 4).join(' | ')}`);
    }
  }
  console.log('done');
  process.exit(0);
}

module.exports = {assert, test, run, port: Number(process.env.STRATA_TEST_PORT)};
