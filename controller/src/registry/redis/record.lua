-- Records beats.
-- KEYS: online, known, conflicts, events; then for each beat the agent's key and the key of its instance's goodbye.
-- ARGV: time to live in ms, events kept, how far clocks may differ in ms; then for each beat name, instance and record.
-- Returns for each beat 0 (online), 1 (conflict) or 2 (gone).

local online, known, conflicts, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ttl, kept, clocks_differ = ARGV[1], ARGV[2], ARGV[3]
local until_ms = digits(now + ttl)

-- A UUIDv7 begins with the milliseconds since 1970 at which it was made, in twelve digits.
local function of_the_future(instance)
  local made = tonumber(string.sub(instance, 1, 8) .. string.sub(instance, 10, 13), 16)
  return made and made > now + clocks_differ
end

-- One of the future is older than any other.
local function is_newer(one, other)
  local one_odd, other_odd = of_the_future(one), of_the_future(other)
  if one_odd ~= other_odd then return other_odd end
  return one > other
end

local function newer_lives(key, instance)
  local record = read('GET', key)
  local other = record and instance_of(record)
  return other and is_newer(other, instance) and alive(key)
end

local verdicts = {}
for beat = 0, (#ARGV - 3) / 3 - 1 do
  local key, gone = KEYS[5 + 2 * beat], KEYS[6 + 2 * beat]
  local name, instance, record = ARGV[4 + 3 * beat], ARGV[5 + 3 * beat], ARGV[6 + 3 * beat]
  local verdict = 0
  if alive(gone) then
    verdict = 2
  elseif newer_lives(key, instance) then
    verdict = 1
    write('ZREMRANGEBYSCORE', conflicts, '-inf', digits(now))
    write('ZADD', conflicts, until_ms, name)
  else
    redis.call('SET', key, record, 'PX', ttl)
    if write('ZADD', online, until_ms, name) == 1 then
      tell(events, kept, 'agent.online', name, instance)
    end
    write('HSET', known, name, known_entry(digits(now), nil, record))
  end
  verdicts[#verdicts + 1] = verdict
end
return verdicts
