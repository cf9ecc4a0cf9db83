--[[
  Realtime nodes whose lease has not ended, by the server's clock.

  KEYS[1] realtime nodes  sorted set, node -> when its lease ends, ms

  Output: nodes
]]
local time = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), '+inf')
