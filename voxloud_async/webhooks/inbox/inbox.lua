-- The steps of an inbox in Redis. A script runs alone on the server, so that each step happens whole or not at all.
--
-- KEYS     waiting: key -> when it is due (for a leased one: when its lease ends); leased: key -> when its lease ends;
--          dead: key -> when it died; done: key -> when it was done; heads: key -> origin, received, runs, token and
--          error, packed; bodies: key -> body; version: of this layout
-- ARGV[1]  the step
-- ARGV[2]  seconds that are added to the server's clock
-- ARGV[3]  seconds for which what was done is remembered
-- ARGV[4]  and on: what the step needs
--
-- Numbers go out as strings, for Redis cuts fractions off.

local WAITING, LEASED, DEAD, DONE, HEADS, BODIES, VERSION = unpack(KEYS)
local FORGOTTEN_AT_ONCE = 100

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6 + tonumber(ARGV[2])
local kept_since = now - tonumber(ARGV[3])

local function number(value) return string.format('%.17g', value) end

local function head_of(key)
  local packed = redis.call('HGET', HEADS, key)
  return packed and cmsgpack.unpack(packed)
end

local function keep_head(key, head) redis.call('HSET', HEADS, key, cmsgpack.pack(head)) end

local function known(key)
  if redis.call('ZSCORE', WAITING, key) or redis.call('ZSCORE', DEAD, key) then return true end
  local at = redis.call('ZSCORE', DONE, key)
  return at and tonumber(at) > kept_since
end

-- The head of a delivery, where the lease is still the caller's.
local function held(key, token)
  local head = head_of(key)
  return head and head.token == token and head
end

local function release(key, head, error)
  head.token, head.error = nil, error
  redis.call('ZREM', LEASED, key)
  keep_head(key, head)
end

local function keep_key_alone(key)
  redis.call('HDEL', HEADS, key)
  redis.call('HDEL', BODIES, key)
  redis.call('ZADD', DONE, number(now), key)
end

local function described(key, head)
  return key, head.origin, head.received, redis.call('HGET', BODIES, key), tostring(head.runs)
end

local function forget()
  local old = redis.call('ZRANGEBYSCORE', DONE, '-inf', number(kept_since), 'LIMIT', 0, FORGOTTEN_AT_ONCE)
  if #old > 0 then redis.call('ZREM', DONE, unpack(old)) end
end

local steps = {}

-- Takes `max_waiting` and then key, origin, received, body of each; answers the new keys, or how many wait.
function steps.add(max_waiting, ...)
  local coming, new = {...}, {}
  for i = 1, #coming, 4 do
    if not known(coming[i]) then new[#new + 1] = i end
  end
  local waiting = redis.call('ZCARD', WAITING)
  if #new > 0 and waiting + #new > tonumber(max_waiting) then return waiting end
  local keys = {}
  for place, i in ipairs(new) do
    local key = coming[i]
    redis.call('ZADD', WAITING, number(now + (place - #new) * 1e-6), key) -- due in the order of their coming
    redis.call('ZREM', DONE, key)
    redis.call('HSET', BODIES, key, coming[i + 3])
    keep_head(key, {origin = coming[i + 1], received = coming[i + 2], runs = 0})
    keys[place] = key
  end
  forget()
  return keys
end

function steps.lease(limit, seconds, token)
  local until_ = number(now + tonumber(seconds))
  local rows = {}
  for place, key in ipairs(redis.call('ZRANGEBYSCORE', WAITING, '-inf', number(now), 'LIMIT', 0, limit)) do
    local head = head_of(key)
    head.token, head.runs = token, head.runs + 1
    keep_head(key, head)
    redis.call('ZADD', WAITING, until_, key)
    redis.call('ZADD', LEASED, until_, key)
    rows[place] = {until_, described(key, head)}
  end
  return rows
end

function steps.extend(key, token, seconds)
  if not held(key, token) then return false end
  local until_ = number(now + tonumber(seconds))
  redis.call('ZADD', WAITING, until_, key)
  redis.call('ZADD', LEASED, until_, key)
  return until_
end

function steps.done(key, token)
  if not held(key, token) then return 0 end
  redis.call('ZREM', WAITING, key)
  redis.call('ZREM', LEASED, key)
  keep_key_alone(key)
  return 1
end

function steps.retry(key, token, delay, error)
  local head = held(key, token)
  if not head then return 0 end
  release(key, head, error)
  redis.call('ZADD', WAITING, number(now + tonumber(delay)), key)
  return 1
end

function steps.bury(key, token, error)
  local head = held(key, token)
  if not head then return 0 end
  release(key, head, error)
  redis.call('ZREM', WAITING, key)
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
      redis.call('ZADD', WAITING, number(now), key)
      count = count + 1
    end
  end
  return count
end

function steps.discard(...)
  local count = 0
  for _, key in ipairs({...}) do
    if redis.call('ZREM', DEAD, key) == 1 then
      keep_key_alone(key)
      count = count + 1
    end
  end
  return count
end

function steps.due_in()
  local first = redis.call('ZRANGE', WAITING, 0, 0, 'WITHSCORES')
  return first[2] and number(math.max(0, tonumber(first[2]) - now))
end

function steps.counts()
  return {
    redis.call('ZCARD', WAITING), redis.call('ZCOUNT', LEASED, '(' .. number(now), '+inf'),
    redis.call('ZCARD', DEAD), redis.call('ZCOUNT', DONE, '(' .. number(kept_since), '+inf'),
  }
end

-- Answers the version of the layout, after it made its mark where there was none.
function steps.open(version)
  redis.call('SET', VERSION, version, 'NX')
  return redis.call('GET', VERSION)
end

return steps[ARGV[1]](unpack(ARGV, 4))
