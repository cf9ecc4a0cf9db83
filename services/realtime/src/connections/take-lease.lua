--[[
  Give a socket one of its user's places, if there is one.

  KEYS[1] sockets of the user   sorted set, member <node>.<number of the socket>, score when the socket's token ends
  ARGV[1] member
  ARGV[2] when the token ends, ms
  ARGV[3] how many places a user has

  Output: empty where the place was taken, else the members that hold all places
]]
-- By the server's clock: nodes whose own clocks differ must agree on which places are free.
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return redis.call('ZRANGE', KEYS[1], 0, -1)
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], last[2])
return {}
