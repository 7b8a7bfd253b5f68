namespace Akka.Configuration.Hocon;

/// <summary>An array of values.</summary>
public class HoconArray : List<HoconValue>, IHoconElement
{
    public bool IsString() => false;

    public string GetString() => throw new InvalidOperationException("an array is not a text");

    public bool IsArray() => true;

    public IList<HoconValue> GetArray() => this;

    public override string ToString() => $"[{string.Join(", ", this)}]";
}
