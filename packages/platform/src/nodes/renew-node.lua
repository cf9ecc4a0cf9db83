--[[
  Renew a realtime node's lease, by the server's clock: nodes whose own clocks differ must agree on who is up.

  KEYS[1] realtime nodes  sorted set, node -> when its lease ends, ms
  ARGV[1] node
  ARGV[2] how long its lease is, ms
  ARGV[3] nodes whose lease ended so long ago are forgotten, ms

  Output: 1 where the node was not there before: it starts, or Redis lost what it had; else 0
]]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local added = redis.call('ZADD', KEYS[1], nowMs + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs - ARGV[3])
return added
