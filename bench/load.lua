-- For wrk: requests for one path, each with the next line of a file as the value of one header, or of a posted form.
-- wrk … -s load.lua http://127.0.0.1:8080 -- PATH HEADER FILE PREFIX
-- wrk … -s load.lua http://127.0.0.1:8080 -- PATH form FILE PREFIX AUTHORIZATION

local requests, last = {}, 0

function init(args)
   local path, header, file, prefix, authorization = args[1], args[2], args[3], args[4] or "", args[5]
   for line in io.lines(file) do
      local host = wrk.headers["Host"]
      if header == "form" then
         local headers = { ["Authorization"] = authorization, ["Content-Type"] = "application/x-www-form-urlencoded", ["Host"] = host }
         requests[#requests + 1] = wrk.format("POST", path, headers, prefix .. line)
      else
         requests[#requests + 1] = wrk.format("GET", path, { [header] = prefix .. line, ["Host"] = host })
      end
   end
end

function request()
   last = last % #requests + 1
   return requests[last]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format("RESULT %d %d %d %d %f %f\n", summary.requests, summary.duration, summary.bytes,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
