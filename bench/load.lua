-- For wrk: requests for one path, each with the next line of a file as the value of one header.
-- wrk … -s load.lua http://127.0.0.1:8080 -- PATH HEADER FILE PREFIX

local requests, last = {}, 0

function init(args)
   local path, header, file, prefix = args[1], args[2], args[3], args[4] or ""
   for line in io.lines(file) do
      requests[#requests + 1] = wrk.format("GET", path, { [header] = prefix .. line, ["Host"] = wrk.headers["Host"] })
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
