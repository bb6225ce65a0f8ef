-- Whose time to live has ended, the longest silent first.
-- KEYS: online.
-- ARGV: how many at most.

return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', digits(now), 'LIMIT', 0, ARGV[1])
