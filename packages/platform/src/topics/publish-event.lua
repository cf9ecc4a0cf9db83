--[[
  Append an event to a topic's log and publish it, in one step.

  KEYS[1] topic head         hash: epoch, offset, server (who wrote it last)
  KEYS[2] topic events       stream, id <offset>-0, field e (event)
  KEYS[3] event feed number  counter
  ARGV[1] event feed channel
  ARGV[2] topic
  ARGV[3] event, JSON
  ARGV[4] epoch to use where one has to begin
  ARGV[5] how many events to keep
  ARGV[6] how long to keep an idle topic's events, ms
  ARGV[7] how long to keep an idle topic's head, ms

  Output: { epoch, offset }
]]
-- A server that became primary, or was started again, may have lost events that were seen: offsets would come twice, for different events.
-- The id of its replication history is another one then, and a new epoch begins.
local info = redis.pcall('INFO', 'replication')
local server = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local epoch, writtenBy = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'server'))
if not epoch or (writtenBy and server ~= '' and writtenBy ~= server) then
  epoch = ARGV[4]
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
end
if server ~= '' and writtenBy ~= server then redis.call('HSET', KEYS[1], 'server', server) end
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], offset .. '-0', 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
local number = redis.call('INCR', KEYS[3])
redis.call('SPUBLISH', ARGV[1], '{"n":' .. number .. ',"topic":"' .. ARGV[2] .. '","epoch":"' .. epoch .. '","offset":' .. offset .. ',"event":' .. ARGV[3] .. '}')
return { epoch, offset }
