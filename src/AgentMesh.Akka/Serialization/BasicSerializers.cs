using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;

namespace Akka.Serialization;

/// <summary>null as no bytes.</summary>
public class NullSerializer : Serializer
{
    public NullSerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    public override int Identifier => 0;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj) => [];

    public override object FromBinary(byte[] bytes, Type type) => null!;
}

/// <summary>Byte arrays as they are.</summary>
public class ByteArraySerializer : Serializer
{
    public ByteArraySerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    public override int Identifier => 4;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj) =>
        obj as byte[] ?? throw new NotSupportedException($"Only byte[] can be written here, not {obj?.GetType().FullName}");

    public override object FromBinary(byte[] bytes, Type type) => bytes;
}

/// <summary>Texts and numbers: UTF-8, little-endian.</summary>
internal sealed class PrimitiveValueSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public override int Identifier => 17;

    public override string Manifest(object o) => o switch
    {
        string => "S",
        int => "I",
        long => "L",
        bool => "B",
        double => "D",
        _ => throw new SerializationException($"No primitive value: {o.GetType().FullName}"),
    };

    public override byte[] ToBinary(object obj)
    {
        byte[] bytes = new byte[8];
        switch (obj)
        {
            case string text:
                return Utf8.GetBytes(text);
            case bool flag:
                return [flag ? (byte)1 : (byte)0];
            case int number:
                BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
                return bytes[..4];
            case long number:
                BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
                return bytes;
            case double number:
                BinaryPrimitives.WriteDoubleLittleEndian(bytes, number);
                return bytes;
            default:
                throw new SerializationException($"No primitive value: {obj.GetType().FullName}");
        }
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        int wanted = manifest switch
        {
            "S" => bytes.Length,
            "B" => 1,
            "I" => 4,
            "L" or "D" => 8,
            _ => throw new SerializationException($"Unknown manifest '{manifest}' of a primitive value"),
        };
        if (bytes.Length != wanted)
            throw new SerializationException(string.Create(CultureInfo.InvariantCulture, $"A primitive value '{manifest}' has {bytes.Length} bytes instead of {wanted}"));
        return manifest switch
        {
            "S" => Text(bytes),
            "B" => bytes[0] != 0,
            "I" => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            "L" => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            _ => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        };
    }

    private static string Text(byte[] bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new SerializationException("A text is not UTF-8", e);
        }
    }
}
