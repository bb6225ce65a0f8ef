-- An agent stops on purpose.
-- KEYS: online, known, events, the agent's key, the key of its instance's goodbye.
-- ARGV: name, instance, for how long late beats are ignored in ms, events kept.
-- Returns 1 if it went offline by this.

local online, known, events, key, gone = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local name, instance, gone_for, kept = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

redis.call('SET', gone, '1', 'PX', gone_for)

local record = read('GET', key)
local live = record and instance_of(record)
if live and live ~= instance then return 0 end
if not live then
  local entry = read('HGET', known, name)
  local last = entry and string.match(entry, '"record":({.*})}$')
  if not last or instance_of(last) ~= instance then return 0 end
end

redis.call('DEL', key)
if read('ZREM', online, name) ~= 1 and not live then return 0 end
offline(known, events, kept, name)
return 1
