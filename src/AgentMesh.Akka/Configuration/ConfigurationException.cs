using Akka.Actor;

namespace Akka.Configuration;

/// <summary>A configuration that cannot be read, or a value that is not what is asked for.</summary>
public class ConfigurationException : AkkaException
{
    public ConfigurationException(string message)
        : base(message)
    {
    }

    public ConfigurationException(string message, Exception exception)
        : base(message, exception)
    {
    }

    public static ConfigurationException NullOrEmptyConfig<T>(string path = null!) => new(
        path is null ? $"the configuration of {typeof(T).Name} is missing or empty" : $"the configuration of {typeof(T).Name} at '{path}' is missing or empty");
}
