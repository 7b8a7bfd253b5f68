using System.Collections;
using System.Globalization;
using System.Reflection;
using Akka.Configuration.Hocon;

namespace Akka.Configuration;

/// <summary>Objects of the program as HOCON values.</summary>
internal static class ObjectReader
{
    private const int DepthMax = 32;

    public static HoconValue Read(object? source, int depth = 0)
    {
        if (depth > DepthMax)
        {
            throw new ConfigurationException($"more than {DepthMax} objects are inside each other");
        }

        switch (source)
        {
            case null:
                return new HoconValue([new HoconLiteral { Value = null }]);
            case string text:
                return new HoconValue([new HoconLiteral { Value = text, IsQuoted = true }]);
            case bool truth:
                return new HoconValue([new HoconLiteral { Value = truth ? "true" : "false" }]);
            case TimeSpan span:
                return new HoconValue([new HoconLiteral { Value = span.TotalMilliseconds.ToString(CultureInfo.InvariantCulture) + "ms" }]);
            case Enum or IFormattable:
                return new HoconValue([new HoconLiteral { Value = Convert.ToString(source, CultureInfo.InvariantCulture) }]);
            case IEnumerable many:
                var array = new HoconArray();
                array.AddRange(many.Cast<object?>().Select(each => Read(each, depth + 1)));
                return new HoconValue([array]);
            default:
                var properties = new HoconObject();
                foreach (PropertyInfo property in source.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(each => each.GetIndexParameters().Length == 0))
                {
                    properties.Items[property.Name] = Read(property.GetValue(source), depth + 1);
                }

                return new HoconValue([properties]);
        }
    }
}
