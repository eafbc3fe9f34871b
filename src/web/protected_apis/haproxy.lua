local names = { LUA_IDENTITY }
local handed_on = { "authorization", "user-agent", "origin", "access-control-request-method" }

core.register_action("jeton-API_ID", { "http-req" }, function(txn)
    local sent = txn.http:req_get_headers()
    local headers = {
        ["x-original-method"] = { txn.sf:method() },
        ["x-original-uri"] = { txn.sf:url() },
        ["x-forwarded-for"] = { txn.sf:src() },
    }
    for _, name in ipairs(handed_on) do
        for _, value in pairs(sent[name] or {}) do
            headers[name] = headers[name] or {}
            table.insert(headers[name], value)
        end
    end
    local answer = core.httpclient():get { url = "JETON_ADDRESS", headers = headers, timeout = 5000 }
    local told = answer.headers or {}
    if answer.status == 401 or answer.status == 403 or answer.status == 404 then
        local reply = txn:reply { status = answer.status }
        for _, value in pairs(told["www-authenticate"] or {}) do reply:add_header("www-authenticate", value) end
        txn:done(reply)
    elseif answer.status == 200 then
        for _, name in ipairs(names) do
            for _, value in pairs(told[name:lower()] or {}) do
                if value ~= "" then txn.http:req_set_header(name, value) end
            end
        end
        -- Last of all: HAProxy goes on with a request when a script fails.
        txn:set_var("txn.jeton", "yes")
    end
end)
