#!lua flags=allow-oom
--[[
  Raise how far runs are durable, after their fixes were stored, and tell the nodes. Also where Redis is full: it costs a few bytes a run,
  and lets go of the fixes that fill it.

  KEYS[1] durable    hash, driver:run -> f64 seq, f64 updatedAtMs
  ARGV[1] channel of the durable feed
  ARGV[2] now, epoch ms
  ARGV[3 ..] per run four: driver, run, lowest seq the phone still keeps, stored or dropped seqs as pairs of u32 (first, last),
             rising and apart

  Output: per run two integers: durable seq; 1 where seqs are missing below what was stored
]]
local reply, changed = {}, {}
for i = 3, #ARGV, 4 do
  local driver, run, from, seqs = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  local field = driver .. ':' .. run
  local stored = redis.call('HGET', KEYS[1], field)
  local before = stored and struct.unpack('<d', stored) or -1
  local seq = math.max(before, from - 1)
  local hole = 0
  for at = 1, #seqs, 8 do
    local first, last = struct.unpack('<I4I4', seqs, at)
    if first > seq + 1 then
      hole = 1
      break
    end
    seq = math.max(seq, last)
  end
  redis.call('HSET', KEYS[1], field, struct.pack('<dd', seq, tonumber(ARGV[2])))
  if seq > before then
    changed[#changed + 1] = '["' .. driver .. '",' .. run .. ',' .. string.format('%.0f', seq) .. ']'
  end
  reply[#reply + 1] = seq
  reply[#reply + 1] = hole
end
if #changed > 0 then
  redis.call('SPUBLISH', ARGV[1], '{"durable":[' .. table.concat(changed, ',') .. ']}')
end
return reply
