--[[
  All events of a topic after a place that somebody has seen, or the answer that they cannot be had.

  A place ahead of the log means that Redis came back with less than it had (a failover to a replica that was behind). What comes
  next would carry offsets that have been seen already and be taken for repetitions: so a new epoch begins.

  KEYS[1] topic head    hash: epoch, offset, server
  KEYS[2] topic events  stream, id <offset>-0, field e (event)
  ARGV[1] epoch seen; '' for somebody who found no log: everything in it came since
  ARGV[2] offset seen
  ARGV[3] epoch to begin where one has to

  Output: { 1 recovered / 0 not, epoch ('' where there is no log), offset, events in order ... }
]]
local epoch, offset = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'offset'))
if not epoch then return { 0, '', 0 } end
offset = tonumber(offset) or 0
local seen = tonumber(ARGV[2])
if ARGV[1] ~= '' and ARGV[1] ~= epoch then return { 0, epoch, offset } end
if seen > offset then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'offset', 0)
  -- It is this server's own from here on.
  redis.call('HDEL', KEYS[1], 'server')
  redis.call('DEL', KEYS[2])
  return { 0, ARGV[3], 0 }
end

local reply = { 1, epoch, offset }
if seen == offset then return reply end
local expected = seen
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[2] .. '-0', '+')) do
  expected = expected + 1
  if entry[1] ~= string.format('%.0f-0', expected) then return { 0, epoch, offset } end
  reply[#reply + 1] = entry[2][2]
end
if expected ~= offset then return { 0, epoch, offset } end
return reply
