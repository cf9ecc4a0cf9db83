--[[
  Store one partition's accepted fixes and announce them, in one call.

  Per group, in order: fixes at or below the run's durable seq are duplicates and left out; the rest goes to the stream; the
  group's newest live fix becomes the driver's position where (run, seq) is above the stored one. All moved positions are
  published once, packed and numbered.

  KEYS[1] positions        hash, driver -> packed position (feed/packed-positions.ts)
  KEYS[2] driver states    hash, driver -> f64 version, u8 available
  KEYS[3] durable          hash, driver:run -> f64 seq, f64 updatedAtMs
  KEYS[4] fixes            stream, field b (history/packed-fixes.ts)
  KEYS[5] feed number      counter of published messages
  ARGV[1] feed channel
  ARGV[2 .. ] per group five: driver, run, group header, fix records (28 bytes each, seq first),
              position without its state ('' where no fix is live)

  Output: per group three integers: 1 moved / 0 not; run that holds the position where it is another and newer, else 0;
          durable seq of the group's run
]]
local FIX_BYTES = 28
local OFF, AVAILABLE, ON_TRIP = '\0', '\1', '\2'
local unpack_number, pack_number = struct.unpack, struct.pack

local count = (#ARGV - 1) / 5
local drivers, runs = {}, {}
for i = 1, count do
  local at = (i - 1) * 5 + 2
  drivers[i] = ARGV[at]
  runs[i] = ARGV[at] .. ':' .. ARGV[at + 1]
end
local stored = redis.call('HMGET', KEYS[1], unpack(drivers))
local states = redis.call('HMGET', KEYS[2], unpack(drivers))
local durables = redis.call('HMGET', KEYS[3], unpack(runs))

local newest = {}    -- driver -> { run, seq, value where it moved }
local streamed = {}  -- pieces of the stream entry
local reply = {}

for i = 1, count do
  local at = (i - 1) * 5 + 2
  local driver, run = drivers[i], tonumber(ARGV[at + 1])
  local header, records, position = ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]

  local durable = 0
  if durables[i] then durable = unpack_number('<d', durables[i]) end

  -- Only re-sent frames reach below the durable seq, so the common case keeps the records as they came.
  local kept = records
  if durable > 0 then
    local pieces = {}
    for from = 1, #records, FIX_BYTES do
      if unpack_number('<I4', records, from) > durable then
        pieces[#pieces + 1] = string.sub(records, from, from + FIX_BYTES - 1)
      end
    end
    if #pieces * FIX_BYTES < #records then kept = table.concat(pieces) end
  end
  if #kept > 0 or #records == 0 then
    streamed[#streamed + 1] = header
    streamed[#streamed + 1] = pack_number('<I2', #kept / FIX_BYTES)
    streamed[#streamed + 1] = kept
  end

  local current = newest[driver]
  if not current then
    if stored[i] then
      local storedRun, storedSeq = unpack_number('<dI4', stored[i], 2)
      current = { storedRun, storedSeq }
    else
      current = { 0, 0 }
    end
    newest[driver] = current
  end

  local moved = 0
  if #position > 0 then
    local _, seq = unpack_number('<dI4', position)
    if run > current[1] or (run == current[1] and seq > current[2]) then
      local state = OFF
      if string.byte(position, 36) > 0 then
        state = ON_TRIP
      elseif states[i] and string.byte(states[i], 9) == 1 then
        state = AVAILABLE
      end
      current[1], current[2], current[3] = run, seq, state .. position
      moved = 1
    end
  end

  reply[#reply + 1] = moved
  reply[#reply + 1] = current[1] > run and current[1] or 0
  reply[#reply + 1] = durable
end

local fields, message = {}, {}
for driver, current in pairs(newest) do
  local value = current[3]
  if value then
    fields[#fields + 1] = driver
    fields[#fields + 1] = value
    message[#message + 1] = '\1' .. string.char(#driver) .. driver .. string.char(#value) .. value
  end
end

if #streamed > 0 then redis.call('XADD', KEYS[4], '*', 'b', table.concat(streamed)) end
if #fields > 0 then
  redis.call('HSET', KEYS[1], unpack(fields))
  local number = redis.call('INCR', KEYS[5])
  redis.call('SPUBLISH', ARGV[1], pack_number('<d', number) .. table.concat(message))
end
return reply
