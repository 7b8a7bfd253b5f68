using System.Diagnostics.CodeAnalysis;

namespace Akka.Configuration;

public static class ConfigExtensions
{
    /// <summary>As <see cref="Config.WithFallback"/>, for a configuration that may be null.</summary>
    public static Config SafeWithFallback(this Config? config, Config fallback) => config.IsNullOrEmpty() ? fallback : ReferenceEquals(config, fallback) ? config : config.WithFallback(fallback);

    public static bool IsNullOrEmpty([NotNullWhen(false)] this Config? config) => config is null || config.IsEmpty;
}
