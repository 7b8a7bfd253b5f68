using System.Xml;

namespace AgentMesh.Protocol.Gateways.Upnp;

/// <summary>XML of a gateway: no document types, no outside references, bounded in size and depth. Damage ends the reading, it is not thrown.</summary>
internal static class UpnpXml
{
    public const int BytesMax = 256 * 1024;

    private const int DepthMax = 32;
    private const int TextMax = 1024;

    private static XmlReaderSettings Settings { get; } = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = BytesMax,
        MaxCharactersFromEntities = 1024,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };

    /// <summary>Calls back at the beginning of each element with its local name, and at its end with the text in it.</summary>
    /// <returns>False when it is no XML, or more than is read.</returns>
    public static bool TryWalk(byte[] document, Action<string> opened, Action<string, string> closed)
    {
        if (document.Length > BytesMax)
        {
            return false;
        }

        try
        {
            using XmlReader reader = XmlReader.Create(new MemoryStream(document), Settings);
            string text = "";
            while (reader.Read())
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.Element when reader.Depth >= DepthMax:
                        return false;
                    case XmlNodeType.Element:
                        text = "";
                        opened(reader.LocalName);
                        if (reader.IsEmptyElement)
                        {
                            closed(reader.LocalName, "");
                        }

                        break;
                    case XmlNodeType.Text or XmlNodeType.CDATA:
                        text = reader.Value.Length <= TextMax ? reader.Value.Trim() : "";
                        break;
                    case XmlNodeType.EndElement:
                        closed(reader.LocalName, text);
                        text = "";
                        break;
                }
            }

            return true;
        }
        catch (XmlException)
        {
            return false;
        }
    }
}
