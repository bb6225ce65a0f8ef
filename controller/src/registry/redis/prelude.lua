-- What the registry's scripts share. Whatever stands in a key may be foreign or broken: it counts as absent, and is
-- overwritten.

local time = redis.call('TIME')
-- Milliseconds since 1970.
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A number without an exponent.
local function digits(number)
  return string.format('%.0f', number)
end

local function failure(reply)
  return type(reply) == 'table' and reply.err
end

-- What a key holds, or false.
local function read(...)
  local reply = redis.pcall(...)
  return not failure(reply) and reply
end

-- A value that cannot take the write, being of another type or a stream at the end of its ids, goes.
local function write(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  local err = failure(reply)
  if not err then return reply end
  if string.find(err, 'WRONGTYPE', 1, true) or string.find(err, 'exhausted', 1, true) then
    redis.call('DEL', key)
  end
  return redis.call(command, key, ...)
end

-- Whether a key is there and will expire: one that does not is none of ours.
local function alive(key)
  return redis.call('PTTL', key) >= 0
end

-- The instance in an agent's record, or nil.
local function instance_of(record)
  return string.match(record, '^{"name":"[^"]*","instance":"(%x+%-%x+%-%x+%-%x+%-%x+)"')
end

-- An entry of `known`: {"last_seen":ms,"offline_since":ms,"record":{…}}, the second only while offline.
local function known_entry(last_seen, offline_since, record)
  local offline = offline_since and (',"offline_since":' .. offline_since) or ''
  return '{"last_seen":' .. last_seen .. offline .. ',"record":' .. record .. '}'
end

local function flag(condition)
  return condition and 1 or 0
end

-- An agent as listings have it: its name, its entry in `known`, whether it is alive, whether it is in the index and
-- whether there is a conflict.
local function listed(online, conflicts, key, name, entry)
  local conflict_until = read('ZSCORE', conflicts, name)
  return {
    name,
    entry,
    flag(alive(key)),
    flag(read('ZSCORE', online, name)),
    flag(conflict_until and tonumber(conflict_until) > now),
  }
end

local function tell(events, kept, kind, agent, instance)
  write('XADD', events, 'MAXLEN', '~', kept, '*',
    'type', kind, 'agent', agent, 'instance', instance, 'at', digits(now))
end

-- The agent is out of the index by now, so this happens once for each time that it was online.
local function offline(known, events, kept, name)
  local entry = read('HGET', known, name)
  local last_seen, record
  if entry then last_seen, record = string.match(entry, '^{"last_seen":(%d+).-"record":({.*})}$') end
  local instance = record and instance_of(record)
  if instance then write('HSET', known, name, known_entry(last_seen, digits(now), record)) end
  tell(events, kept, 'agent.offline', name, instance or '00000000-0000-0000-0000-000000000000')
end

