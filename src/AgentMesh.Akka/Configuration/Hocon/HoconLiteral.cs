namespace Akka.Configuration.Hocon;

/// <summary>A text, quoted or not. A null value is HOCON's <c>null</c>.</summary>
public class HoconLiteral : IHoconElement
{
    public string? Value { get; set; }

    /// <summary>Quoted text keeps its outer spaces and is never a number, null or boolean when it is printed again.</summary>
    internal bool IsQuoted { get; init; }

    public bool IsString() => true;

    public string? GetString() => Value;

    public bool IsArray() => false;

    public IList<HoconValue> GetArray() => throw new InvalidOperationException("a text is not an array");

    public override string ToString() => HoconText.Quote(Value);
}
