--[[
  Change what a topic is about, in one step: keep the record if it is newer, tell every node by the access log, append the event
  to the topic's log and publish it.

  KEYS[1] record             string, JSON with an integer "version"
  KEYS[2] access log         stream, fields n (contiguous number) and e (entry)
  KEYS[3] access log number  counter
  KEYS[4] topic head         hash: epoch, offset, server (who wrote it last)
  KEYS[5] topic events       stream, id <offset>-0, field e (event)
  KEYS[6] event feed number  counter
  ARGV[1] event feed channel
  ARGV[2] topic
  ARGV[3] version of the record
  ARGV[4] record, JSON
  ARGV[5] how long to keep the record, ms
  ARGV[6] entry for the access log
  ARGV[7] how long to keep access log entries, ms
  ARGV[8] event, JSON; '' for none
  ARGV[9] epoch to use where one has to begin
  ARGV[10] how many events to keep
  ARGV[11] how long to keep an idle topic's events, ms
  ARGV[12] how long to keep an idle topic's head, ms
  ARGV[13] '1' for a repair: its event is left out where no record was there, since the log was lost with it

  Output: { 1, epoch, offset } where the record was newer; { 0, '', 0 } where nothing was done
]]
local stored = redis.call('GET', KEYS[1])
-- One offset a version: where the step is more than one, or brings no event, events are missing, and readers of the log see that.
local step = 1
local event = ARGV[8]
if not stored and ARGV[13] == '1' then event = '' end
if stored then
  local version = cjson.decode(stored).version
  if version >= tonumber(ARGV[3]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    redis.call('PEXPIRE', KEYS[4], ARGV[12])
    return { 0, '', 0 }
  end
  step = tonumber(ARGV[3]) - version
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])

-- Numbers begin at the clock, so that a log which lost everything never repeats a number that readers have seen.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('SET', KEYS[3], string.format('%.0f', nowMs)) end
local number = redis.call('INCR', KEYS[3])
redis.call('XADD', KEYS[2], 'MINID', '~', string.format('%.0f', nowMs - ARGV[7]), '*', 'n', number, 'e', ARGV[6])

-- A server that became primary, or was started again, may have lost events that were seen: offsets would come twice, for different events.
-- The id of its replication history is another one then, and a new epoch begins.
local info = redis.pcall('INFO', 'replication')
local server = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local epoch, writtenBy = unpack(redis.call('HMGET', KEYS[4], 'epoch', 'server'))
if not epoch or (writtenBy and server ~= '' and writtenBy ~= server) then
  epoch = ARGV[9]
  step = 1
  redis.call('DEL', KEYS[5])
  redis.call('HSET', KEYS[4], 'epoch', epoch, 'offset', 0)
end
if server ~= '' and writtenBy ~= server then redis.call('HSET', KEYS[4], 'server', server) end
local offset = redis.call('HINCRBY', KEYS[4], 'offset', step)
redis.call('PEXPIRE', KEYS[4], ARGV[12])
if event == '' then return { 1, epoch, offset } end
redis.call('XADD', KEYS[5], 'MAXLEN', ARGV[10], offset .. '-0', 'e', event)
redis.call('PEXPIRE', KEYS[5], ARGV[11])
local message = redis.call('INCR', KEYS[6])
redis.call('SPUBLISH', ARGV[1], '{"n":' .. message .. ',"topic":"' .. ARGV[2] .. '","epoch":"' .. epoch .. '","offset":' .. offset .. ',"event":' .. event .. '}')
return { 1, epoch, offset }
