--[[
  A user's sockets whose lease has not ended, by the server's clock.

  KEYS[1] the user's sockets  sorted set, connection -> when its token ends, ms

  Output: { connection, when its token ends, ... }
]]
local time = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), '+inf', 'WITHSCORES')
