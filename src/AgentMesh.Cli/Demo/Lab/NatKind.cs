namespace AgentMesh.Cli.Demo.Lab;

/// <summary>
/// Kinds of the box between a home and the internet, as nftables rules for an interface "lan" and an interface "wan". All of them drop what comes in unasked, as home
/// routers do: without the rule "door" an early probe would leave an entry in the table of connections, and the mapping of the home's own packets would move to another port.
/// </summary>
internal static class NatKind
{
    /// <summary>Stands in rules for the outside address of the box.</summary>
    public const string Outside = "OUTSIDE";

    // More than a test uses; they come round then.
    private const int StepPorts = 4_000;

    private const string Door = """
          chain door { type filter hook input priority 0;
            iifname "wan" ct state new drop
          }
        """;

    private const string Firewall = """
          chain wall { type filter hook forward priority 0;
            iifname "wan" ct state new drop
          }
        """;

    /// <summary>Who sent one datagram out is reached at its outside port by everybody.</summary>
    public static string FullCone() => Box($$"""
          map back { type inet_service : ipv4_addr; flags dynamic, timeout; timeout 5m; size 1024; }
          chain learn { type filter hook forward priority 0;
            oifname "wan" meta l4proto udp update @back { udp sport : ip saddr }
          }
          chain into { type nat hook prerouting priority -100;
            iifname "wan" meta l4proto udp dnat to udp dport map @back
          }
        {{Out("masquerade")}}
        {{Door}}
        """);

    /// <summary>Who sent one datagram out is reached at its outside port by the addresses that it sent to, from any port of theirs.</summary>
    public static string AddressRestrictedCone() => Box($$"""
          map back { type inet_service : ipv4_addr; flags dynamic, timeout; timeout 5m; size 1024; }
          set sent { type ipv4_addr . inet_service; flags dynamic, timeout; timeout 5m; size 1024; }
          chain learn { type filter hook forward priority 0;
            oifname "wan" meta l4proto udp update @back { udp sport : ip saddr } update @sent { ip daddr . udp sport }
          }
          chain into { type nat hook prerouting priority -100;
            iifname "wan" meta l4proto udp ip saddr . udp dport @sent dnat to udp dport map @back
          }
        {{Out("masquerade")}}
        {{Door}}
        """);

    /// <summary>Another outside port, always the next one, for each address and port that is sent to; in comes only what answers.</summary>
    public static string SymmetricInSteps() =>
        Box($"{Out($"meta l4proto udp snat to {Outside} : numgen inc mod {StepPorts} map {{ {string.Join(", ", Enumerable.Range(0, StepPorts).Select(step => $"{step} : {20_000 + step}"))} }}")}\n{Door}\n{Firewall}");

    /// <summary>The same outside port towards everybody; in comes only what answers, from the very address and port that were sent to.</summary>
    public static string PortRestrictedCone() => Box($"{Out("masquerade")}\n{Door}\n{Firewall}");

    /// <summary>The same, with this outside port for the one device behind it.</summary>
    public static string PortRestrictedCone(int port) => Box($"{Out($"meta l4proto udp masquerade to :{port}")}\n{Door}\n{Firewall}");

    /// <summary>Another outside port, at random, for each address and port that is sent to; in comes only what answers.</summary>
    public static string Symmetric() => Box($"{Out("masquerade fully-random")}\n{Door}\n{Firewall}");

    /// <summary>A wall that lets TCP out to one address and port, and nothing else.</summary>
    public static string OnlyTcpTo(string address, int port) => Box($$"""
          chain wall { type filter hook forward priority 0;
            ct state established,related accept
            iifname "lan" oifname "wan" ip daddr {{address}} tcp dport {{port}} accept
            drop
          }
        {{Out("masquerade")}}
        {{Door}}
        """);

    /// <summary>No NAT, since IPv6 has addresses for all: in comes only what answers.</summary>
    public static string WallOfIpv6(string wan) => $$"""
        table ip6 wall {
          chain door { type filter hook input priority 0;
            iifname "{{wan}}" meta l4proto { tcp, udp } ct state new drop
          }
        }

        """;

    private static string Out(string how) => $$"""
          chain out { type nat hook postrouting priority 100;
            oifname "wan" {{how}}
          }
        """;

    private static string Box(string chains) => $"table ip box {{\n{chains}\n}}\n";
}
