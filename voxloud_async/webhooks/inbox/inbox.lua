-- The steps of an inbox in Redis. A script runs alone on the server, so that each step happens whole or not at all.
--
-- KEYS     waiting: the beginning of the names of the queues, one for each event type: key -> when it is due (for a
--          leased one: when its lease ends); leased: key -> when its lease ends; dead: key -> when it died;
--          done: key -> when it was done; heads: key -> type, fingerprint, origin, received, runs, token and error,
--          packed, of what waits or is dead; bodies: key -> body; version: of this layout; types: of the queues;
--          handled: event type -> until when a process handles it; fingerprints: key -> fingerprint of what was done
-- ARGV[1]  the step
-- ARGV[2]  seconds that are added to the server's clock
-- ARGV[3]  seconds for which what was done is remembered
-- ARGV[4]  and on: what the step needs
--
-- Numbers go out as strings, for Redis cuts fractions off.
--
-- A server at `maxmemory` with `noeviction` denies a script its first write, unless that is one that frees memory, and
-- allows what comes after it. So the steps that take nothing in begin with ZREM: a full inbox can be emptied.

local WAITING, LEASED, DEAD, DONE, HEADS, BODIES, VERSION, TYPES, HANDLED, FINGERPRINTS = unpack(KEYS)
local FORGOTTEN_AT_ONCE = 100

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6 + tonumber(ARGV[2])
local kept_since = now - tonumber(ARGV[3])

local function number(value) return string.format('%.17g', value) end

local function queue(type) return WAITING .. ':' .. type end

local function head_of(key)
  local packed = redis.call('HGET', HEADS, key)
  return packed and cmsgpack.unpack(packed)
end

local function keep_head(key, head) redis.call('HSET', HEADS, key, cmsgpack.pack(head)) end

local function known(key)
  if redis.call('HEXISTS', HEADS, key) == 1 then return true end
  local at = redis.call('ZSCORE', DONE, key)
  return at and tonumber(at) > kept_since
end

-- The head of a delivery, where the lease is still the caller's.
local function held(key, token)
  local head = head_of(key)
  return head and head.token == token and head
end

local function wait(key, head, due)
  redis.call('ZADD', queue(head.type), number(due), key)
  redis.call('SADD', TYPES, head.type)
end

local function give_back(key, head)
  head.token = nil
  redis.call('ZREM', LEASED, key)
  keep_head(key, head)
end

local function keep_key_alone(key, head)
  redis.call('HDEL', HEADS, key)
  redis.call('HDEL', BODIES, key)
  redis.call('ZADD', DONE, number(now), key)
  if head.fingerprint ~= '' then redis.call('HSET', FINGERPRINTS, key, head.fingerprint) end
end

local function described(key, head)
  return key, head.type, head.fingerprint, head.origin, head.received, redis.call('HGET', BODIES, key),
    tostring(head.runs)
end

local function forget()
  local old = redis.call('ZRANGEBYSCORE', DONE, '-inf', number(kept_since), 'LIMIT', 0, FORGOTTEN_AT_ONCE)
  redis.call('ZREM', DONE, '', unpack(old))
  if #old > 0 then redis.call('HDEL', FINGERPRINTS, unpack(old)) end
end

-- The queues of some event types, or of all but those.
local function selected(others, ...)
  if others == '0' then return {...} end
  local left_out, rest = {}, {}
  for _, type in ipairs({...}) do left_out[type] = true end
  for _, type in ipairs(redis.call('SMEMBERS', TYPES)) do
    if not left_out[type] then rest[#rest + 1] = type end
  end
  return rest
end

local function waiting()
  local count = 0
  for _, type in ipairs(redis.call('SMEMBERS', TYPES)) do count = count + redis.call('ZCARD', queue(type)) end
  return count
end

local steps = {}

-- Takes `max_waiting` and then key, type, fingerprint, origin, received, body of each; answers the new keys, or how
-- many wait.
function steps.add(max_waiting, ...)
  local coming, new = {...}, {}
  for i = 1, #coming, 6 do
    if not known(coming[i]) then new[#new + 1] = i end
  end
  local count = #new > 0 and waiting()
  if count and count + #new > tonumber(max_waiting) then return count end
  local keys = {}
  for place, i in ipairs(new) do
    local key = coming[i]
    local head = {type = coming[i + 1], fingerprint = coming[i + 2], origin = coming[i + 3],
      received = coming[i + 4], runs = 0}
    wait(key, head, now + (place - #new) * 1e-6) -- due in the order of their coming
    redis.call('ZREM', DONE, key)
    redis.call('HDEL', FINGERPRINTS, key)
    redis.call('HSET', BODIES, key, coming[i + 5])
    keep_head(key, head)
    keys[place] = key
  end
  if #new > 0 then forget() end
  return keys
end

function steps.lease(limit, seconds, token, waited, others, ...)
  forget()
  local due = {}
  for _, type in ipairs(selected(others, ...)) do
    local until_ = number(now - tonumber(waited))
    local found = redis.call('ZRANGEBYSCORE', queue(type), '-inf', until_, 'WITHSCORES', 'LIMIT', 0, limit)
    for i = 1, #found, 2 do due[#due + 1] = {key = found[i], at = tonumber(found[i + 1])} end
    if #found == 0 and redis.call('EXISTS', queue(type)) == 0 then redis.call('SREM', TYPES, type) end
  end
  table.sort(due, function(one, other) return one.at < other.at or (one.at == other.at and one.key < other.key) end)
  local until_, rows = number(now + tonumber(seconds)), {}
  for place = 1, math.min(#due, tonumber(limit)) do
    local key = due[place].key
    local head = head_of(key)
    head.token, head.runs = token, head.runs + 1
    keep_head(key, head)
    redis.call('ZADD', queue(head.type), until_, key)
    redis.call('ZADD', LEASED, until_, key)
    rows[place] = {until_, described(key, head)}
  end
  return rows
end

function steps.extend(key, token, seconds)
  local head = held(key, token)
  if not head then return false end
  local until_ = number(now + tonumber(seconds))
  redis.call('ZREM', LEASED, key)
  redis.call('ZADD', LEASED, until_, key)
  redis.call('ZADD', queue(head.type), until_, key)
  return until_
end

function steps.done(key, token)
  local head = held(key, token)
  if not head then return 0 end
  redis.call('ZREM', queue(head.type), key)
  redis.call('ZREM', LEASED, key)
  keep_key_alone(key, head)
  return 1
end

function steps.retry(key, token, delay, error)
  local head = held(key, token)
  if not head then return 0 end
  head.error = error
  give_back(key, head)
  wait(key, head, now + tonumber(delay))
  return 1
end

function steps.release(key, token)
  local head = held(key, token)
  if not head then return 0 end
  head.runs = head.runs - 1
  give_back(key, head)
  wait(key, head, now)
  return 1
end

function steps.bury(key, token, error)
  local head = held(key, token)
  if not head then return 0 end
  head.error = error
  give_back(key, head)
  redis.call('ZREM', queue(head.type), key)
  redis.call('ZADD', DEAD, number(now), key)
  return 1
end

function steps.known(...)
  local found = {}
  for _, key in ipairs({...}) do
    if known(key) then found[#found + 1] = key end
  end
  return found
end

function steps.fingerprints(...)
  local found = {}
  for _, key in ipairs(steps.known(...)) do
    local head = head_of(key)
    found[#found + 1] = {key, head and head.fingerprint or redis.call('HGET', FINGERPRINTS, key) or ''}
  end
  return found
end

function steps.announce(seconds, ...)
  redis.call('ZREMRANGEBYSCORE', HANDLED, '-inf', number(now))
  for _, type in ipairs({...}) do
    local until_ = math.max(now + tonumber(seconds), tonumber(redis.call('ZSCORE', HANDLED, type) or 0))
    redis.call('ZADD', HANDLED, number(until_), type)
  end
end

function steps.announced() return redis.call('ZRANGEBYSCORE', HANDLED, '(' .. number(now), '+inf') end

function steps.dead_letters(limit)
  local rows = {}
  for place, key in ipairs(redis.call('ZREVRANGE', DEAD, 0, tonumber(limit) - 1)) do
    local head = head_of(key)
    rows[place] = {redis.call('ZSCORE', DEAD, key), head.error, described(key, head)}
  end
  return rows
end

function steps.replay(...)
  local count = 0
  for _, key in ipairs({...}) do
    if redis.call('ZREM', DEAD, key) == 1 then
      local head = head_of(key)
      head.runs, head.error = 0, nil
      keep_head(key, head)
      wait(key, head, now)
      count = count + 1
    end
  end
  return count
end

function steps.discard(...)
  local count = 0
  for _, key in ipairs({...}) do
    if redis.call('ZREM', DEAD, key) == 1 then
      keep_key_alone(key, head_of(key))
      count = count + 1
    end
  end
  return count
end

function steps.due_in(others, ...)
  local first
  for _, type in ipairs(selected(others, ...)) do
    local found = redis.call('ZRANGE', queue(type), 0, 0, 'WITHSCORES')
    if found[2] then first = math.min(first or math.huge, tonumber(found[2])) end
  end
  return first and number(first - now)
end

function steps.counts()
  return {
    waiting(), redis.call('ZCOUNT', LEASED, '(' .. number(now), '+inf'),
    redis.call('ZCARD', DEAD), redis.call('ZCOUNT', DONE, '(' .. number(kept_since), '+inf'),
  }
end

-- Answers the version of the layout, after it made its mark where there was none.
function steps.open(version)
  local found = redis.call('GET', VERSION)
  if not found then redis.call('SET', VERSION, version) end
  return found or version
end

return steps[ARGV[1]](unpack(ARGV, 4))
