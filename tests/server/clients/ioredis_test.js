// ioredis 5 (RESP2), as a Node program uses it.
'use strict';
const Redis = require('ioredis');
const {assert, test, run, port} = require('./tap.js');

const connect = (options = {}) => new Redis({host: '127.0.0.1', port, ...options});

test('sets and gets text and buffers', async (redis) => {
  assert.equal(await redis.set('k', 'grün'), 'OK');
  assert.equal(await redis.get('k'), 'grün');
  const bytes = Buffer.from(Array.from({length: 256}, (_, i) => i));
  await redis.set(bytes, bytes);
  assert.deepEqual(await redis.getBuffer(bytes), bytes);
  assert.equal(await redis.get('missing'), null);
});

test('becomes ready, which asks INFO', async (redis) => {
  assert.equal(await redis.ping(), 'PONG');
  assert.equal(redis.status, 'ready');
  assert.match(await redis.info('server'), /redis_version:\d+\.\d+/);
});

test('runs a pipeline and keeps errors in their place', async (redis) => {
  const replies = await redis.pipeline().set('a', 'word').incr('a').get('a').mget('a', 'b').exec();
  assert.deepEqual(replies[0], [null, 'OK']);
  assert.match(replies[1][0].message, /not an integer/);
  assert.deepEqual(replies[2], [null, 'word']);
  assert.deepEqual(replies[3], [null, ['word', null]]);
});

test('pipelines by itself', async () => {
  const redis = connect({enableAutoPipelining: true});
  await Promise.all(Array.from({length: 500}, (_, i) => redis.set(`key:${i}`, i)));
  const values = await Promise.all(Array.from({length: 500}, (_, i) => redis.get(`key:${i}`)));
  assert.deepEqual(values, Array.from({length: 500}, (_, i) => String(i)));
  redis.disconnect();
});

test('streams all keys of a scan', async (redis) => {
  const wanted = Array.from({length: 300}, (_, i) => `user:${i}`);
  await redis.mset(Object.fromEntries(wanted.map((name) => [name, 'x'])));
  await redis.set('other', 'x');
  const found = new Set();
  for await (const keys of redis.scanStream({match: 'user:*', count: 11})) {
    keys.forEach((key) => found.add(key));
  }
  assert.deepEqual([...found].sort(), wanted.sort());
});

test('sets with expiry and conditions', async (redis) => {
  assert.equal(await redis.set('k', 'v', 'EX', 100, 'NX'), 'OK');
  assert.equal(await redis.set('k', 'w', 'NX'), null);
  assert.equal(await redis.set('k', 'w', 'XX', 'GET', 'KEEPTTL'), 'v');
  assert.equal(await redis.ttl('k') > 90, true);
  assert.equal(await redis.expire('k', 1000, 'GT'), 1);
  assert.equal(await redis.getex('k', 'PERSIST'), 'w');
  assert.equal(await redis.pttl('k'), -1);
});

test('selects a database and names its connection', async () => {
  const redis = connect({db: 7, connectionName: 'ioredis-test'});
  await redis.set('k', 'seven');
  assert.equal(await redis.client('GETNAME'), 'ioredis-test');
  assert.match(await redis.client('LIST'), /name=ioredis-test/);
  redis.disconnect();
  const other = connect();
  assert.equal(await other.get('k'), null);
  other.disconnect();
});

test('logs in, and reports a wrong password', async (redis) => {
  await redis.config('SET', 'requirepass', 's3cret');
  try {
    const good = connect({password: 's3cret'});
    assert.equal(await good.ping(), 'PONG');
    good.disconnect();
    const bad = connect({password: 'wrong', retryStrategy: null});
    const problem = new Promise((resolve) => bad.on('error', resolve));
    assert.match((await problem).message, /WRONGPASS/);
    bad.disconnect();
  } finally {
    await redis.config('SET', 'requirepass', '');
  }
});

test('rejects with the server\'s own words', async (redis) => {
  await assert.rejects(redis.call('BOGUS', 'a'), /ERR unknown command 'BOGUS'/);
  await assert.rejects(redis.call('GET'), /wrong number of arguments for 'get' command/);
  await assert.rejects(redis.set('k', 'v', 'EX', 0), /invalid expire time in 'set' command/);
});

test('reconnects after the server has killed its connection', async (redis) => {
  const victim = connect();
  await victim.set('k', 'before');
  await redis.client('KILL', 'ID', await victim.client('ID'));
  assert.equal(await victim.get('k'), 'before');
  victim.disconnect();
});

test('watches with MONITOR', async (redis) => {
  const monitor = await redis.duplicate().monitor();
  const seen = new Promise((resolve) => {
    monitor.on('monitor', (_, args) => args[1] === 'watched' && resolve(args));
  });
  await redis.set('watched', 'value');
  assert.deepEqual((await seen).slice(1), ['watched', 'value']);
  monitor.disconnect();
});

test('counts and handles bits', async (redis) => {
  assert.equal(await redis.incrby('n', 41), 41);
  assert.equal(await redis.incrbyfloat('n', 0.5), '41.5');
  assert.deepEqual(await redis.bitfield('f', 'SET', 'u8', 0, 255, 'GET', 'u4', 0), [0, 15]);
  assert.equal(await redis.bitcount('f'), 8);
});

test('carries a value of 5 MB both ways', async (redis) => {
  const value = Buffer.alloc(5 << 20, 'abcdefgh');
  await redis.set('big', value);
  assert.equal(Buffer.compare(await redis.getBuffer('big'), value), 0);
});

run(
  async () => {
    const redis = connect();
    await redis.flushall();
    return redis;
  },
  async (redis) => redis.disconnect(),
);
