// node-redis 5 in RESP3, as a Node program uses it.
'use strict';
const {createClient, createClientPool, RESP_TYPES} = require('redis');
const {assert, test, run, port} = require('./tap.js');

async function connect(options = {}) {
  const client = createClient({RESP: 3, socket: {host: '127.0.0.1', port}, ...options});
  client.on('error', () => {});  // the command that fails says it too
  await client.connect();
  return client;
}

test('speaks RESP3', async (client) => {
  const hello = await client.hello();
  assert.equal(hello.proto, 3);
  assert.equal(hello.server, 'redis');
  assert.equal(hello.mode, 'standalone');
});

test('sets and gets text and buffers', async (client) => {
  assert.equal(await client.set('k', 'grün'), 'OK');
  assert.equal(await client.get('k'), 'grün');
  assert.equal(await client.get('missing'), null);
  const bytes = Buffer.from(Array.from({length: 256}, (_, i) => i));
  const binary = client.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer});
  await binary.set('b', bytes);
  assert.deepEqual(await binary.get('b'), bytes);
});

test('pipelines what is sent in one turn', async (client) => {
  await Promise.all(Array.from({length: 500}, (_, i) => client.set(`key:${i}`, String(i))));
  const values = await Promise.all(Array.from({length: 500}, (_, i) => client.get(`key:${i}`)));
  assert.deepEqual(values, Array.from({length: 500}, (_, i) => String(i)));
});

test('gets CONFIG as a map', async (client) => {
  const config = await client.configGet('maxmemory*');
  assert.equal(config['maxmemory-policy'], 'noeviction');
  assert.equal(await client.configSet('maxmemory-policy', 'allkeys-lru'), 'OK');
  assert.equal(await client.configSet('maxmemory-policy', 'noeviction'), 'OK');
});

test('sets with expiry and conditions', async (client) => {
  assert.equal(
      await client.set('k', 'v', {expiration: {type: 'EX', value: 100}, condition: 'NX'}), 'OK');
  assert.equal(await client.set('k', 'w', {condition: 'NX'}), null);
  assert.equal(await client.set('k', 'w', {expiration: 'KEEPTTL', GET: true}), 'v');
  assert.equal(await client.ttl('k') > 90, true);
  assert.equal(await client.expire('k', 50, 'LT'), 1);
  assert.equal(await client.getEx('k', {type: 'PERSIST'}), 'w');
  assert.equal(await client.getDel('k'), 'w');
  assert.equal(await client.exists('k'), 0);
});

test('iterates over all keys of a scan', async (client) => {
  const wanted = Array.from({length: 300}, (_, i) => `user:${i}`);
  await client.mSet(Object.fromEntries(wanted.map((name) => [name, 'x'])));
  await client.set('other', 'x');
  const found = new Set();
  for await (const keys of client.scanIterator({MATCH: 'user:*', COUNT: 11})) {
    keys.forEach((key) => found.add(key));
  }
  assert.deepEqual([...found].sort(), wanted.sort());
});

test('handles numbers and bits', async (client) => {
  assert.equal(await client.incrBy('n', 41), 41);
  assert.equal(await client.incrByFloat('n', 0.5), '41.5');
  assert.equal(await client.setBit('b', 7, 1), 0);
  assert.equal(await client.bitCount('b'), 1);
  assert.deepEqual(
      await client.bitField('f', [
        {operation: 'OVERFLOW', behavior: 'FAIL'},
        {operation: 'INCRBY', encoding: 'u2', offset: 0, increment: 5},
        {operation: 'GET', encoding: 'u2', offset: 0},
      ]),
      [null, 0]);
});

test('compares strings with LCS IDX, a map of arrays', async (client) => {
  await client.mSet({a: 'ohmytext', b: 'mynewtext'});
  assert.equal(await client.lcs('a', 'b'), 'mytext');
  assert.equal(await client.lcsLen('a', 'b'), 6);
  const found = await client.lcsIdxWithMatchLen('a', 'b');
  assert.equal(found.len, 6);
  assert.deepEqual(found.matches[0], [[4, 7], [5, 8], 4]);
});

test('knows its own connection', async (client) => {
  await client.clientSetName('node-redis-test');
  assert.equal(await client.clientGetName(), 'node-redis-test');
  const info = await client.clientInfo();
  assert.equal(info.name, 'node-redis-test');
  assert.equal(info.db, 0);
  const all = await client.clientList();
  assert.equal(all.some((row) => row.name === 'node-redis-test'), true);
  assert.equal(info.id, await client.clientId());
});

test('asks the command table', async (client) => {
  const commands = await client.command();
  assert.equal(commands.length >= 60, true);
  const [get] = await client.commandInfo(['get']);
  assert.equal(get.name, 'get');
  assert.equal(get.arity, 2);
  assert.equal(get.flags.has('readonly'), true);
  assert.deepEqual(await client.commandGetKeys(['MSET', 'a', '1', 'b', '2']), ['a', 'b']);
});

test('selects a database at connecting and later', async () => {
  const client = await connect({database: 9});
  await client.set('k', 'nine');
  await client.select(0);
  assert.equal(await client.get('k'), null);
  await client.select(9);
  assert.equal(await client.get('k'), 'nine');
  client.destroy();
});

test('logs in with HELLO AUTH, and reports a wrong password', async (client) => {
  await client.configSet('requirepass', 's3cret');
  try {
    const good = await connect({password: 's3cret', name: 'named'});
    assert.equal(await good.clientGetName(), 'named');
    good.destroy();
    const socket = {host: '127.0.0.1', port, reconnectStrategy: false};
    await assert.rejects(connect({username: 'default', password: 'wrong', socket}), /WRONGPASS/);
  } finally {
    await client.configSet('requirepass', '');
  }
});

test('rejects with the server\'s own words', async (client) => {
  await assert.rejects(client.sendCommand(['BOGUS', 'a']), /ERR unknown command 'BOGUS'/);
  await assert.rejects(client.sendCommand(['GET']), /wrong number of arguments for 'get'/);
  await client.set('k', 'word');
  await assert.rejects(client.incr('k'), /not an integer or out of range/);
});

test('works as a pool', async () => {
  const pool = createClientPool({RESP: 3, socket: {host: '127.0.0.1', port}});
  pool.on('error', () => {});
  await pool.connect();
  await Promise.all(Array.from({length: 200}, () => pool.incr('n')));
  assert.equal(await pool.get('n'), '200');
  pool.destroy();
});

test('watches with MONITOR', async (client) => {
  const monitor = client.duplicate();
  monitor.on('error', () => {});
  await monitor.connect();
  let watching;
  const seen = new Promise((resolve) => {
    watching = monitor.monitor(
        (line) => String(line).includes('"watched"') && resolve(String(line)));
  });
  await watching;
  await client.set('watched', 'value');
  assert.match(await seen, /"SET" "watched" "value"/);
  monitor.destroy();
});

run(
  async () => {
    const client = await connect();
    await client.flushAll();
    return client;
  },
  async (client) => client.destroy(),
);
