--[[
  Append an event to a topic's log and publish it, in one step.

  KEYS[1] topic head         hash: epoch, offset
  KEYS[2] topic events       stream, id <offset>-0, field e (event)
  KEYS[3] event feed number  counter
  ARGV[1] event feed channel
  ARGV[2] topic
  ARGV[3] event, JSON
  ARGV[4] epoch to use where the topic has none
  ARGV[5] how many events to keep
  ARGV[6] how long to keep an idle topic's events, ms
  ARGV[7] how long to keep an idle topic's head, ms

  Output: { epoch, offset }
]]
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[4]
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], offset .. '-0', 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
local number = redis.call('INCR', KEYS[3])
redis.call('SPUBLISH', ARGV[1], '{"n":' .. number .. ',"topic":"' .. ARGV[2] .. '","epoch":"' .. epoch .. '","offset":' .. offset .. ',"event":' .. ARGV[3] .. '}')
return { epoch, offset }
