/// Files that several tests begin with.
enum Samples {
    static let shop = """
        schema = 1

        [site]
        bindings = ["http://shop.example:80/", "http://*:8080/"]

        [[application]]
        path    = "/"
        root    = "/srv/shop"
        hosting = "out-of-process"
        command = ["./Shop", "--production"]
        environment = { ASPNETCORE_ENVIRONMENT = "Production" }

        [[application]]
        path    = "/api"
        hosting = "in-process"
        module  = "/usr/lib/berth/modules/libShopAPI.so"
        pool    = "api"
        isolation = "none"

        [pool.api]
        idle_timeout = "20min"
        rapid_fail   = { crashes = 5, window = "5min" }

        [[application]]
        path    = "/docs"
        root    = "/srv/shop-docs"
        hosting = "static"
        directories = { "/img" = "/srv/images" }

        [[module]]
        name  = "basic-authentication"
        realm = "shop"
        users = "file:/etc/berth/shop.htpasswd"
        paths = ["/admin/"]
        """

    static let daemon = """
        schema = 1

        [daemon]
        loops = 2
        control_socket = "/run/berth/control.sock"
        max_workers = "off"

        [listener]
        max_request_bytes = 32768
        max_field_length = "16KiB"
        max_connections = "off"
        listen_addresses = ["127.0.0.1", "::1"]
        disable_server_header = 1

        [timeouts]
        idle_connection = "2min"
        request_queue = "off"
        min_send_rate = "240B/s"
        shutdown_drain = "30s"

        [httperr]
        rollover = "daily"
        truncate_size = "2MiB"

        [defaults.site]
        limits = { max_connections = 1000 }
        [defaults.site.log]
        rollover = "hourly"
        [defaults.application]
        processes = 2
        [defaults.pool]
        queue_length = 500
        recycling = { time = "off", schedule = ["03:30"] }

        [pool.shared]
        max_processes = 4
        """

    static let webConfig = """
        <?xml version="1.0" encoding="utf-8"?>
        <configuration>
          <location path="." inheritInChildApplications="false">
            <system.webServer>
              <handlers>
                <add name="aspNetCore" path="*" verb="*" modules="AspNetCoreModuleV2" resourceType="Unspecified" />
              </handlers>
              <aspNetCore processPath="dotnet" arguments=".\\Shop.dll --name &quot;a b&quot;" stdoutLogEnabled="true"
                  stdoutLogFile=".\\logs\\stdout" hostingModel="inprocess" startupTimeLimit="60" requestTimeout="00:03:00">
                <environmentVariables>
                  <environmentVariable name="ASPNETCORE_ENVIRONMENT" value="Development" />
                  <environmentVariable name="DATA" value="%HOME%/data" />
                </environmentVariables>
              </aspNetCore>
              <security><requestFiltering><requestLimits maxAllowedContentLength="1000" /></requestFiltering></security>
            </system.webServer>
          </location>
        </configuration>
        """
}
