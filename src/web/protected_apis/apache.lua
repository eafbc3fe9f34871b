local http = require "LUA_HTTP"
http.TIMEOUT = 5
local names = { LUA_IDENTITY }
local overriding = { LUA_OVERRIDING }

-- Takes a header off, however its words are joined.
local function take_off(headers, name, from)
    local at = name:find("-", from, true)
    if not at then
        headers[name] = nil
        return
    end
    take_off(headers, name, at + 1)
    take_off(headers, name:sub(1, at - 1) .. "_" .. name:sub(at + 1), at + 1)
end

function check(r)
    local connection = (r.headers_in["Connection"] or ""):lower()
    if connection:find("jeton", 1, true) or connection:find("authorization", 1, true) then return 403 end
    local _, status, told = http.request {
        url = "JETON_ADDRESS",
        redirect = false,
        headers = {
            ["Authorization"] = r.headers_in["Authorization"],
            ["X-Original-Method"] = r.method,
            ["X-Original-URI"] = r.unparsed_uri,
            ["User-Agent"] = r.headers_in["User-Agent"],
            ["Origin"] = r.headers_in["Origin"],
            ["Access-Control-Request-Method"] = r.headers_in["Access-Control-Request-Method"],
            ["X-Forwarded-For"] = r.useragent_ip,
        },
    }
    if status ~= 200 then
        if told then r.err_headers_out["WWW-Authenticate"] = told["www-authenticate"] end
        return (status == 401 or status == 403 or status == 404) and status or 503
    end
    for _, name in ipairs(overriding) do take_off(r.headers_in, name, 1) end
    for _, name in ipairs(names) do
        take_off(r.headers_in, name, 1)
        local value = told[name:lower()]
        if value ~= "" then r.headers_in[name] = value end
    end
    return apache2.OK
end
