--[[
  Give a socket one of its user's places, if there is one.

  KEYS[1] sockets of the user   sorted set, member <node>.<number of the socket>, score when the socket's token ends
  ARGV[1] now, ms
  ARGV[2] member
  ARGV[3] when the token ends, ms
  ARGV[4] how many places a user has

  Output: empty where the place was taken, else the members that hold all places
]]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
  return redis.call('ZRANGE', KEYS[1], 0, -1)
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], last[2])
return {}
