-- For wrk: sign-ins under ever other names from ever other addresses, so that no limit of one of them stops the storm. A name that
-- nobody has costs as much as one that somebody has.

local count = 0

function request()
   count = count + 1
   local address = string.format("10.%d.%d.%d", count / 65536 % 256, count / 256 % 256, count % 256)
   local body = string.format("email=stranger-%d%%40example.org&password=a+long+enough+guess&next=", count % 1000)
   return wrk.format("POST", "/sign-in", {
      ["Host"] = wrk.headers["Host"], ["Sec-Fetch-Site"] = "same-origin", ["X-Forwarded-For"] = address,
      ["Content-Type"] = "application/x-www-form-urlencoded" }, body)
end

-- About a second, as the Retry-After of those that are sent away asks.
function delay()
   return math.random(500, 1500)
end
