--[[
  Publish what is only worth knowing now to whoever listens to a topic: numbered like every message of the feed, but in no log.

  KEYS[1] event feed number  counter
  ARGV[1] event feed channel
  ARGV[2] topic
  ARGV[3] what, JSON

  Output: the message's number
]]
local number = redis.call('INCR', KEYS[1])
redis.call('SPUBLISH', ARGV[1], '{"n":' .. number .. ',"topic":"' .. ARGV[2] .. '","passing":' .. ARGV[3] .. '}')
return number
