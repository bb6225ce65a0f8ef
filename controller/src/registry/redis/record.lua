-- Records beats.
-- KEYS: online, known, conflicts, events; then for each beat the agent's key and the key of its instance's goodbye.
-- ARGV: time to live in ms, events kept; then for each beat name, instance and record.
-- Returns for each beat 0 (online), 1 (conflict) or 2 (gone).

local online, known, conflicts, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ttl, kept = ARGV[1], ARGV[2]
local until_ms = digits(now + ttl)

local function newer_lives(key, instance)
  local record = read('GET', key)
  local other = record and instance_of(record)
  return other and other > instance and alive(key)
end

local verdicts = {}
for beat = 0, (#ARGV - 2) / 3 - 1 do
  local key, gone = KEYS[5 + 2 * beat], KEYS[6 + 2 * beat]
  local name, instance, record = ARGV[3 + 3 * beat], ARGV[4 + 3 * beat], ARGV[5 + 3 * beat]
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
