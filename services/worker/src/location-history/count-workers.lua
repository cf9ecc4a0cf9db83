#!lua flags=allow-oom
--[[
  Say that a worker is up, forget those that are not, and count. Also where Redis is full, as hold-lease.lua.

  KEYS[1] workers    sorted set, worker -> epoch ms until which it counts as up
  ARGV[1] worker
  ARGV[2] now, epoch ms
  ARGV[3] for how long it counts, ms

  Output: how many are up
]]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[2] + ARGV[3], ARGV[1])
return redis.call('ZCARD', KEYS[1])
